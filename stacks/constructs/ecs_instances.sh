# Part of the user data of the ECS instances.

# Keep the credentials of the instance from containers that have their own network interface.
echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config

# Move the tasks of a terminating instance to other instances.
cat > /usr/local/sbin/drain-before-termination <<'END'
#!/bin/bash
until command -v aws; do dnf install --assumeyes --quiet awscli-2 || sleep 60; done # the AMI does not contain it

metadata() {
    token=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
    curl -sf -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
# Auto Scaling announces the termination here ("Retrieve the target lifecycle state" in its guide).
until [ "$(metadata autoscaling/target-lifecycle-state)" = Terminated ]; do sleep 5; done

agent=$(curl -sf http://localhost:51678/v1/metadata) # "Container introspection" in the ECS guide
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<< "$agent"; }
aws ecs update-container-instances-state --region "$(metadata placement/region)" --cluster "$(field Cluster)" \
    --container-instances "$(field ContainerInstanceArn)" --status DRAINING
END
chmod +x /usr/local/sbin/drain-before-termination
systemd-run --property=Restart=on-failure --property=RestartSec=10 /usr/local/sbin/drain-before-termination
