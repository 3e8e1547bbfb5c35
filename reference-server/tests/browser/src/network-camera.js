// A network camera of the tests' own: motion-JPEG over HTTP, of one picture, behind a user and a password.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { MEDIA } from "./server.js";

const LOGIN = `Basic ${Buffer.from("viewer:S3CRET").toString("base64")}`;

export class NetworkCamera {
  #server;
  watchers = 0;

  async start() {
    const jpeg = readFileSync(join(MEDIA, "hopper/center.jpg"));
    this.#server = createServer((request, response) => {
      if (request.headers.authorization !== LOGIN) {
        response.writeHead(401, { "WWW-Authenticate": 'Basic realm="camera"' }).end();
        return;
      }
      response.writeHead(200, { "Content-Type": "multipart/x-mixed-replace; boundary=frame" });
      this.watchers += 1;
      const timer = setInterval(() => {
        response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
        response.write(jpeg);
        response.write("\r\n");
      }, 100);
      request.on("close", () => {
        clearInterval(timer);
        this.watchers -= 1;
      });
    });
    await new Promise((listening) => { this.#server.listen(0, "127.0.0.1", listening); });
    this.address = `http://127.0.0.1:${this.#server.address().port}/cam.mjpeg`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
