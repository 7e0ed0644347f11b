// Which compute served this page. Paths are relative, as the page may live below any path.

const NAMES = { FARGATE: "ECS on AWS Fargate", EC2: "ECS on Amazon EC2", LIGHTSAIL: "Amazon Lightsail" };

export async function servedBy() {
  try {
    const { launch_type, task, zone } = await (await fetch("whoami")).json();
    const what = NAMES[launch_type] ?? "something else";
    return `Served by ${[what, task && `task ${task}`, zone].filter(Boolean).join(", ")}`;
  } catch {
    return "Served by what does not tell";
  }
}
