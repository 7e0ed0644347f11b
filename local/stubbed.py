"""Resource types that the sandbox accepts but does not emulate."""

# A note for users who look for the resource, by CloudFormation type.
STUBBED = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": "target tracking never acts; step scaling does",
    "AWS::AutoScaling::AutoScalingGroup": "has no instances: containers are processes of this machine",
    "AWS::Budgets::Budget": "never alerts: nothing has a cost",
    "AWS::XRay::SamplingRule": "no request is traced",
}
