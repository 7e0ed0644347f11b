"""The laptop sandbox: an emulator of AWS on 127.0.0.1, deployed to by the real CDK CLI."""
