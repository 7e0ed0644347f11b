// Which compute served this page. Paths are relative, as the page may live below any path.

const NAMES = { FARGATE: "ECS on AWS Fargate", EC2: "ECS on Amazon EC2", LIGHTSAIL: "Amazon Lightsail" };

export async function servedBy() {
  const answer = fetch("whoami").then((answer) => answer.json());
  const { launch_type, task, zone } = await answer.catch(() => ({}));
  const name = NAMES[launch_type] ?? "something unknown";
  return `Served by ${[name, task && `task ${task.slice(0, 8)}`, zone].filter(Boolean).join(", ")}`;
}
