"""The thumbnail workload as a container: a worker on Amazon ECS, and a child of an array job on AWS Batch."""
