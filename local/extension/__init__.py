"""Extensions of the emulator (ministack) for these stacks, in the process of the emulator.

They replace private functions of one pinned version; `__main__.py` stops with one line if another version is installed.
Each module adds or corrects one feature of AWS, and its docstring states what is emulated and what is not.

| module | what the emulator lacks | what the module adds |
|---|---|---|
| `cloudformation` | | helpers that register resource types |
| `iam_authorization` | some actions and resources of AWS; loopback as TLS | the three of them |
| `iam_roles` | credentials and permission checks for services that use a role | both, for the other modules |
| `authorization_log` | a record of authorization decisions | a log file for tests |
| `execution_roles` | permission checks when Lambda and Firehose act | checks of the function's or stream's role |
| `s3_buckets` | bucket tags, protection of full buckets, Node.js custom resources | the three of them |
| `lambda_logs` | each invocation waits 50 ms for log lines | no waiting |
| `rest_apis` | request validation, Lambda permissions, metrics, reachable URLs | the four of them |
| `api_access_logs` | access logs of REST APIs | log lines in the Firehose stream |
| `eventbridge_scheduler` | time zone, role, and dead-letter queue of a schedule | the three of them |
| `service_events` | most events of AWS services | events of alarms, Batch, and ECS |
| `cloudwatch_metrics` | metrics of queues and functions | data points once a minute |
| `cloudwatch_alarms` | dimensions, missing data, events | evaluation as on AWS |
| `load_balancers` | weighted target groups, reachable URLs, security group rules | the three of them |
| `dockerfile`, `container_images` | image builds | an image is the unpacked source with its Dockerfile read |
| `container_processes` | containers without Docker | a local process for each container |
| `ecs_tasks` | tasks without Docker | tasks run as processes |
| `ecs_resources` | capacity providers; waiting for stable services | both |
| `batch_resources` | Batch by CloudFormation | its three resource types |
| `batch_jobs`, `batch_scheduler` | jobs that run | queues, array jobs, attempts, time-outs |
| `budgets` | budgets by CloudFormation | the resource type |
| `lightsail` | Lightsail | stubs of its two resource types |
"""
