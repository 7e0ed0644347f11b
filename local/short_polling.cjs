// Loaded into the CDK CLI of a sandbox (NODE_OPTIONS). The CLI polls CloudFormation every 5 seconds, once per level of
// stacks that depend on each other. The emulator completes a stack in less, so poll ten times as often.
const original = globalThis.setTimeout;
const setTimeout = (callback, delay, ...rest) => original(callback, delay === 5000 ? 500 : delay, ...rest);
globalThis.setTimeout = Object.defineProperties(setTimeout, Object.getOwnPropertyDescriptors(original));
