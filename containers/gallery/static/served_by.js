// The compute service that served this page. URLs are relative, because the page can have any path.

const NAMES = { FARGATE: "ECS on AWS Fargate", EC2: "ECS on Amazon EC2", LIGHTSAIL: "Amazon Lightsail" };

export async function servedBy() {
  const response = fetch("whoami").then((response) => response.json());
  const { launch_type, task, zone } = await response.catch(() => ({}));
  const name = NAMES[launch_type] ?? "an unknown service";
  return `Served by ${[name, task && `task ${task.slice(0, 8)}`, zone].filter(Boolean).join(", ")}`;
}
