// A host application of Sparkplug, over npm's mqtt and sparkplug-payload: prints every message that it sees as one JSON
// object a line, and publishes what it is told to, one JSON object a line.
//
//   in   {"topic", "metrics", "retain"?}   a payload of these metrics    {"topic", "raw", "retain"?}   these bytes, as hex
//   out  {"event": "ready"} · {"event": "message", "topic", "qos", "retain", "at", "payload"}
"use strict";
const mqtt = require("mqtt");
const sparkplug = require("sparkplug-payload").get("spBv1.0");

const client = mqtt.connect(process.argv[2], { protocolVersion: 4, reconnectPeriod: 100 });
const say = (said) => process.stdout.write(JSON.stringify(said, plain) + "\n");

function plain(_key, value) {
  if (value && typeof value === "object" && typeof value.toNumber === "function") {
    return value.toNumber();
  }
  return value;
}

client.on("connect", () => client.subscribe("spBv1.0/#", { qos: 1 }, () => say({ event: "ready" })));
client.on("error", (error) => say({ event: "error", text: String(error) }));
client.on("message", (topic, data, packet) => {
  const at = Date.now();
  let payload = null;
  if (!topic.includes("/STATE/") && !topic.includes("/NCMD/")) {
    payload = sparkplug.decodePayload(data);
  }
  say({ event: "message", topic, qos: packet.qos, retain: packet.retain, at, payload });
});

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  const data = asked.raw !== undefined
    ? Buffer.from(asked.raw, "hex")
    : Buffer.from(sparkplug.encodePayload({ timestamp: Date.now(), metrics: asked.metrics }));
  client.publish(asked.topic, data, { qos: 1, retain: asked.retain === true }, () => say({ event: "published" }));
}).on("close", () => client.end(true));
