// A receiver of webhooks, as the chapter of notices describes one: it checks the signature of each.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";

export class Receiver {
  #server;
  #failures;
  // The secret of the channel.
  secret = "";
  // Each request: its id, what it says, whether its signature is right, and the status that it was answered.
  requests = [];

  // Answers 503 so many times, and takes everything afterwards.
  constructor(failures) {
    this.#failures = failures;
  }

  async start() {
    this.#server = createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts);
        const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = request.headers;
        const key = Buffer.from(this.secret.replace(/^whsec_/, ""), "base64");
        const signed = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64");
        const isSigned = signature === `v1,${signed}` && Math.abs(Date.now() / 1000 - Number(time)) < 60;
        const status = !isSigned ? 401 : this.#failures > 0 ? 503 : 200;
        if (status === 503) this.#failures -= 1;
        this.requests.push({ id, isSigned, status, ...JSON.parse(body) });
        response.writeHead(status).end();
      });
    });
    await new Promise((listening) => { this.#server.listen(0, "127.0.0.1", listening); });
    this.url = `http://127.0.0.1:${this.#server.address().port}/hook`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
