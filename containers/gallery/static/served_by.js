// The quiet line that says which compute served this page. Paths are relative: the page may live below any path.

const NAMES = { FARGATE: "ECS on AWS Fargate", EC2: "ECS on Amazon EC2", LIGHTSAIL: "Amazon Lightsail" };

export async function servedBy() {
  try {
    const { launch_type, task, zone } = await (await fetch("whoami")).json();
    const what = NAMES[launch_type] ?? launch_type ?? "something other than AWS";
    return `Served by ${[what, task && `task ${task}`, zone].filter(Boolean).join(", ")}`;
  } catch {
    return "Which compute served this page is not known";
  }
}
