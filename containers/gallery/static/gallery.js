// Says which compute served the page. Paths are relative: the page may live below any path.

const line = document.getElementById("whoami");
const names = { FARGATE: "AWS Fargate", EC2: "Amazon EC2" };

try {
  const answer = await fetch("whoami");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const { launch_type: launchType, task, zone } = await answer.json();
  line.textContent = launchType
    ? `Served by ECS on ${names[launchType] ?? launchType}, task ${task}, zone ${zone ?? "unknown"}.`
    : "Served by something other than ECS.";
} catch (error) {
  line.textContent = `Which compute served this page is not known (${error.message}).`;
}
