"""Extensions of the emulator (ministack) for these stacks, in the process of the emulator.

They replace private functions of one pinned version; `__main__.py` stops with one line if another version is installed.
Each module corrects or adds one feature of AWS. Its docstring states what is emulated and what is not.

| module | the emulator | the module |
|---|---|---|
| `access_control` | accepts root without a signature, from any website | verifies signatures, rejects foreign sites |
| `iam_authorization` | derives some actions and resources unlike AWS | corrects them, and treats loopback as TLS |
| `iam_roles` | calls services without permission checks | provides role sessions and permission checks |
| `execution_roles` | ignores the roles that Lambda and Firehose use | checks them |
| `authorization_log` | does not record authorization decisions | writes them to a file for tests |
| `measurements` | measures neither calls nor processes | counts calls by role, measures CPU time and memory |
| `cloudformation` | has handlers for some resource types | provides helpers to register further types |
| `s3_buckets` | ignores tags, deletes full buckets | adds tags, bucket protection, and auto-delete objects |
| `message_move_tasks` | lacks the SQS actions for message-move tasks | adds them |
| `lambda_images` | needs Docker for functions from images | runs the image with a local Runtime API |
| `lambda_lifecycle` | ends invocations when functions and mappings change | lets them finish |
| `lambda_logs` | waits 50 ms for log lines, logs no reason if a function cannot start | polls, and logs it |
| `rest_apis` | ignores request validators and Lambda permissions | enforces both, adds metrics and a local URL |
| `api_access_logs` | writes no access logs | sends them to Firehose |
| `eventbridge_scheduler` | ignores role and dead-letter queue of a schedule | uses them, calls universal targets |
| `service_events` | emits no events of alarms, Batch, and ECS | emits them |
| `cloudwatch_metrics` | records hardly any metrics | records those of queues and functions each minute |
| `cloudwatch_alarms`, `metric_math` | ignores dimensions, missing data, and metric math | evaluates alarms like AWS |
| `load_balancers` | has DNS names that no one resolves | adds a local URL, a metric, security group rules |
| `container_images`, `dockerfile` | builds no images | unpacks the source and reads the Dockerfile |
| `container_processes` | needs Docker for containers | starts local processes |
| `ecs_tasks` | needs Docker for tasks | starts and stops their containers as processes |
| `ecs_resources` | lacks capacity providers, waits for no service | adds both |
| `application_auto_scaling` | lacks the service | scales ECS services by steps, and by requests per target |
| `batch_resources` | lacks the resource types of Batch | adds them |
| `batch_jobs`, `batch_scheduler` | reports jobs as SUCCEEDED on submission | runs them |
| `budgets` | lacks its resource type | adds it, without alerts |
| `lightsail`, `nginx_stand_in` | lacks the service | runs the user data of instances, and serves their websites |
"""
