// An OPC UA client over npm's node-opcua-client: does what it is told, one JSON object a line, and prints what comes.
//
//   node opcua_client.js ENDPOINT none|encrypted CERTIFICATES
//
//   in   {"do": "connect", "user"?, "password"?} · "read" {"nodes"} · "browse" {"node"} · "write" {"node", "type", "value"}
//        "call" {"object", "method", "arguments": [{"type", "value"}]} · "watch" {"nodes", "interval"}
//        "events" {"node", "fields"} · "leave": the session is closed
//   out  {"event": "done", "do", "status", …} · {"event": "value", "node", "value", "status", "at"} · {"event": "told", …}
"use strict";
const {
  AttributeIds, ClientMonitoredItem, constructEventFilter, DataType, MessageSecurityMode, OPCUAClient,
  SecurityPolicy, TimestampsToReturn, UserTokenType, Variant, VariantArrayType,
} = require("node-opcua-client");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const [endpoint, security, certificates] = process.argv.slice(2);
const say = (said) => process.stdout.write(JSON.stringify(said) + "\n");
let client = null;
let session = null;
let subscription = null;

function plain(variant) {
  const value = variant ? variant.value : null;
  if (value === null || value === undefined) return null;
  if (variant.dataType === DataType.LocalizedText) return value.text;
  if (variant.dataType === DataType.UInt64 && variant.arrayType === VariantArrayType.Scalar) return Number(value[1]) + 2 ** 32 * Number(value[0]);
  if (Array.isArray(value)) return value.map((one) => (one && one.toString ? one.toString() : one));
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? value.toString() : value;
}

async function subscribed(interval) {
  if (!subscription) {
    subscription = await session.createSubscription2({
      requestedPublishingInterval: interval || 20, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 1000, publishingEnabled: true, priority: 1,
    });
  }
  return subscription;
}

const deeds = {
  async connect(asked) {
    const manager = new OPCUACertificateManager({ rootFolder: certificates, automaticallyAcceptUnknownCertificate: true });
    client = OPCUAClient.create({
      applicationName: "foreign-client", endpointMustExist: false, clientCertificateManager: manager,
      securityMode: security === "none" ? MessageSecurityMode.None : MessageSecurityMode.SignAndEncrypt,
      securityPolicy: security === "none" ? SecurityPolicy.None : SecurityPolicy.Basic256Sha256,
      connectionStrategy: { maxRetry: asked.retry || 0, initialDelay: 100, maxDelay: 500 }, keepSessionAlive: true,
      requestedSessionTimeout: 30000,
    });
    client.on("connection_reestablished", () => say({ event: "again" }));
    await client.connect(endpoint);
    session = await client.createSession(asked.user
      ? { type: UserTokenType.UserName, userName: asked.user, password: asked.password } : undefined);
    return {};
  },
  async read(asked) {
    const found = await session.read(asked.nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value })));
    return { values: found.map((one) => plain(one.value)), statuses: found.map((one) => one.statusCode.name) };
  },
  async browse(asked) {
    const found = await session.browse({ nodeId: asked.node, resultMask: 63, includeSubtypes: true, browseDirection: 0 });
    return { names: (found.references || []).map((one) => one.browseName.name), ids: (found.references || []).map((one) => one.nodeId.toString()) };
  },
  async write(asked) {
    const status = await session.write({ nodeId: asked.node, attributeId: AttributeIds.Value,
      value: { value: new Variant({ dataType: DataType[asked.type], value: asked.value }) } });
    return { status: status.name };
  },
  async call(asked) {
    const found = await session.call({ objectId: asked.object, methodId: asked.method,
      inputArguments: asked.arguments.map((one) => new Variant({ dataType: DataType[one.type], value: one.value })) });
    return { status: found.statusCode.name, gives: (found.outputArguments || []).map(plain) };
  },
  async watch(asked) {
    const watching = await subscribed(asked.interval);
    for (const nodeId of asked.nodes) {
      const item = ClientMonitoredItem.create(watching, { nodeId, attributeId: AttributeIds.Value },
        { samplingInterval: 0, queueSize: 1000, discardOldest: true }, TimestampsToReturn.Both);
      item.on("changed", (value) => say({ event: "value", node: nodeId, value: plain(value.value), status: value.statusCode.name, at: Date.now() }));
    }
    return {};
  },
  async events(asked) {
    const watching = await subscribed(asked.interval);
    const item = ClientMonitoredItem.create(watching, { nodeId: asked.node, attributeId: AttributeIds.EventNotifier },
      { samplingInterval: 0, queueSize: 1000, discardOldest: true, filter: constructEventFilter(asked.fields) }, TimestampsToReturn.Both);
    item.on("changed", (values) => say({ event: "told", values: values.map(plain) }));
    await new Promise((done) => item.once("initialized", done));
    return {};
  },
  async leave() {
    await session.close();
    await client.disconnect();
    return {};
  },
};

require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const asked = JSON.parse(line);
  try {
    say({ event: "done", do: asked.do, status: "Good", ...(await deeds[asked.do](asked)) });
  } catch (error) {
    say({ event: "done", do: asked.do, status: "failed", why: String(error.message || error) });
  }
}).on("close", () => process.exit(0));
say({ event: "ready" });
