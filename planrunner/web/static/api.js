// Questions to the server. What goes wrong is one kind of error: words, often a hint, and more.

export class Refusal extends Error {
  constructor(status, { error = {}, ...more }) {
    super(error.message ?? `planrunner refused this (${status})`);
    Object.assign(this, more, { status, hint: error.hint ?? "" });
    if (status === 403) this.hint = "open the address that the terminal printed";
  }
}

async function ask(address, options) {
  let reply;
  try {
    reply = await fetch(address, options);
  } catch {
    const hint = "look whether it still runs in its terminal";
    throw new Refusal(0, { error: { message: "planrunner does not answer", hint } });
  }
  const said = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Refusal(reply.status, said);
  return said;
}

// Addresses are relative to the page's own, whose path is the session's.
export const get = (address) => ask(address);

export const post = (address, body = {}) => ask(address, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const runAddress = (run, rest) => `api/runs/${encodeURIComponent(run)}/${rest}`;
export const planAddress = (plan, ...rest) =>
  ["api/plans", ...[plan, ...rest].map(encodeURIComponent)].join("/");
