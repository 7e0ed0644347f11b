"""What a person does to a deployed service, in an AWS account or in the sandbox: wherever the AWS variables lead."""
