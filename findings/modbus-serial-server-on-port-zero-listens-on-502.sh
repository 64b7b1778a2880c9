#!/usr/bin/env bash
# Found: a ServerTCP of npm's modbus-serial that is told to listen on port 0 takes port 502, and not a free one as every
#   other server of node does. The port is chosen by `options.port || 502`, for which 0 is no port.
# Version: modbus-serial 8.0.25 with node 20.
# Why it matters here: tests and simulators that run side by side ask for port 0. Here they meet on 502: as root silently,
#   and the second says that the address is in use; as another user none may listen, although any free port would do.
#   So the line PLC of the tests is given a port of its own.
# Guess before it was run: a free port, which the event "initialized" tells.
# Source: run; servers/servertcp.js of the package.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --omit=optional --ignore-scripts --no-package-lock modbus-serial@8.0.25 debug@4.4.3 ms@2.1.3
cat > listen.js <<'JS'
const { ServerTCP } = require("modbus-serial");
const server = new ServerTCP({}, { host: "127.0.0.1", port: 0 });
const end = (port) => {
    console.log("asked for port 0, listens on", port);
    console.log(port === 502 ? "as found" : "changed: another port than 502");
    process.exit(port === 502 ? 0 : 1);
};
server.on("initialized", () => end(server._server.address().port));
server.on("serverError", (error) => end(error.port)); // taken, or not permitted: it names the port that it wanted
JS
node listen.js
