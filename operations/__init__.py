"""Commands for a running deployment, in an AWS account or in the emulator. The AWS environment variables select it."""
