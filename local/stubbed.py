"""What the sandbox keeps on paper only: CloudFormation accepts it, and nothing stands behind it."""

# By type: what a person who looks for it should know.
STUBBED = {
    "AWS::Lightsail::Instance": "the emulator has no Lightsail: no server starts",
    "AWS::Lightsail::StaticIp": "so Lightsail.WebsiteUrl leads nowhere",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "accepted, but never acts: ECS keeps the tasks it has",
    "AWS::AutoScaling::AutoScalingGroup": "has no hosts: containers are processes of this machine",
    "AWS::Budgets::Budget": "kept and listed, but nothing here costs anything: it never warns",
}
