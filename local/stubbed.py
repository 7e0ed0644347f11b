"""Resource types that the sandbox accepts but does not emulate."""

# A note for users who look for the resource, by CloudFormation type.
STUBBED = {
    "AWS::AutoScaling::AutoScalingGroup": "no instances start: containers and jobs are processes of this machine",
    "AWS::Budgets::Budget": "never alerts: nothing has a cost",
    "AWS::XRay::SamplingRule": "no request is traced: the emulator has no traces",
}
