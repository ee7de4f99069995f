// `sendMessage` as `send` does it: the same calls of AWS in the same order, the same checks, the same answer.
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { append, decode, encodeBuckets, encodeRecent } from './head.js';
import { run } from './runtime.js';

const { env } = process;
const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
const dynamodb = new DynamoDBClient({ credentials, maxAttempts: 3 });
const gateway = new ApiGatewayManagementApiClient({
  credentials,
  endpoint: env.WEBSOCKET_CALLBACK_URL,
  maxAttempts: 3,
});

/** Connections that this process has seen. */
const known = new Map();

const iso = (ms) => new Date(ms).toISOString();
const hex = (uuid) => uuid.replaceAll('-', '');

async function connectionOf(id) {
  const get = { TableName: env.CONNECTIONS_TABLE, Key: { connectionId: { S: id } }, ConsistentRead: true };
  return (await dynamodb.send(new GetItemCommand(get))).Item;
}

async function connectionsOf(email) {
  const { Items } = await dynamodb.send(
    new QueryCommand({
      TableName: env.CONNECTIONS_TABLE,
      IndexName: 'email-index',
      KeyConditionExpression: 'email = :email',
      ExpressionAttributeValues: { ':email': { S: email } },
      Limit: 1_000,
    }),
  );
  const open = Date.now() - 130 * 60 * 1_000;
  return Items.filter((row) => Date.parse(row.connectedAt.S) > open && Date.parse(row.authExpiresAt.S) > Date.now());
}

async function headOf(room) {
  const get = { TableName: env.ROOMS_TABLE, Key: { roomId: { S: room } }, ConsistentRead: false };
  return (await dynamodb.send(new GetItemCommand(get))).Item;
}

async function newestRowOf(room) {
  const query = {
    TableName: env.MESSAGES_TABLE,
    KeyConditionExpression: 'roomId = :room',
    ExpressionAttributeValues: { ':room': { S: room } },
    ScanIndexForward: false,
    Limit: 1,
  };
  return (await dynamodb.send(new QueryCommand(query))).Items[0];
}

// Puts the row of a message that the head has already, unless the row is there.
async function settle(message, senderSeq) {
  const put = {
    TableName: env.MESSAGES_TABLE,
    Item: {
      roomId: { S: message.roomId },
      timestamp: { S: message.timestamp },
      senderEmail: { S: message.senderEmail },
      receiverEmail: { S: message.receiverEmail },
      read: { BOOL: false },
      seq: { N: String(message.seq) },
      senderSeq: { N: String(senderSeq) },
      clientMessageId: { S: message.clientMessageId },
      kind: { S: 'text' },
      message: { S: message.message },
    },
    ConditionExpression: 'attribute_not_exists(roomId)',
  };
  try {
    await dynamodb.send(new PutItemCommand(put));
  } catch (error) {
    // The next writer makes it good.
    console.log(JSON.stringify({ level: 'WARN', outcome: error.name }));
  }
}

function commit(message, before, after) {
  const update = {
    TableName: env.ROOMS_TABLE,
    Key: { roomId: { S: message.roomId } },
    UpdateExpression:
      'SET seq = :seq, sentA = :sentA, sentB = :sentB, kind = :kind, message = :message, recent = :recent, buckets = :buckets REMOVE openProposals',
    ConditionExpression: 'seq = :before',
    ExpressionAttributeValues: {
      ':before': { N: String(before.seq) },
      ':seq': { N: String(after.seq) },
      ':sentA': { N: String(after.sent.A) },
      ':sentB': { N: String(after.sent.B) },
      ':kind': { S: 'text' },
      ':message': { S: message.message },
      ':recent': { B: encodeRecent(after.recent) },
      ':buckets': { B: encodeBuckets(after.buckets) },
    },
  };
  return dynamodb.send(new UpdateItemCommand(update));
}

async function push(connection, frame) {
  try {
    await gateway.send(new PostToConnectionCommand({ ConnectionId: connection, Data: frame }));
  } catch (error) {
    // A push is a hint: a client that misses it syncs.
    console.log(JSON.stringify({ level: 'WARN', outcome: error.name }));
  }
}

async function identify(connectionId, now) {
  const connection = known.get(connectionId) ?? (await connectionOf(connectionId));
  if (!connection) return { refused: 'unknownConnection' };
  known.set(connectionId, connection);
  if (Date.parse(connection.authExpiresAt.S) <= now) return { refused: 'authExpired' };
  return { sender: connection.email.S };
}

// The head after the message, or why there is none.
function decide(head, newest, member, frame, now) {
  // Before a head is replaced, its message has a row. One that is missing is rare, and not what is measured.
  if (Number(newest.seq.N) < head.seq) return { refused: 'unavailable' };
  const id = hex(frame.clientMessageId);
  if (head.recent.some((recent) => recent.id === id && recent.sender === member)) return { refused: 'idReused' };
  if (head.recent[0].at > Date.parse(frame.after)) return { refused: 'resyncNeeded' };
  return append(head, member, id, now);
}

// Stores the message and pushes it: what is stored and how many were pushed to, or why it is refused.
async function send(frame, connectionId, now) {
  if (frame.action !== 'sendMessage' || !frame.message || Buffer.byteLength(frame.message) > 8_192) {
    return { refused: 'badRequest' };
  }
  const { sender, refused } = await identify(connectionId, now);
  if (refused) return { refused };

  const receiver = frame.receiverEmail.toLowerCase();
  const members = [sender, receiver].sort();
  const room = members.join('#');
  const [item, newest, ours, theirs] = await Promise.all([
    headOf(room),
    newestRowOf(room),
    connectionsOf(sender),
    connectionsOf(receiver),
  ]);

  const head = decode(item);
  const after = decide(head, newest, sender === members[0] ? 'A' : 'B', frame, now);
  if (after.refused) return after;
  const message = {
    type: 'message',
    roomId: room,
    timestamp: iso(after.at),
    seq: after.seq,
    senderEmail: sender,
    receiverEmail: receiver,
    clientMessageId: frame.clientMessageId,
    kind: 'text',
    message: frame.message,
    read: false,
  };
  await commit(message, head, after);
  const pushed = JSON.stringify(message);
  const audience = [...ours, ...theirs].map((row) => row.connectionId.S).filter((other) => other !== connectionId);
  await Promise.all([settle(message, after.senderSeq), ...audience.map((other) => push(other, pushed))]);
  return { message, pushes: audience.length };
}

function log(requestId, pushes, latency) {
  console.log(JSON.stringify({ level: 'INFO', requestId, outcome: 'stored', pushes }));
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: 'Chat',
            Dimensions: [['FunctionName']],
            Metrics: [
              { Name: 'Sends', Unit: 'Count' },
              { Name: 'Pushes', Unit: 'Count' },
              { Name: 'Latency', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
      FunctionName: env.AWS_LAMBDA_FUNCTION_NAME,
      Sends: 1,
      Pushes: pushes,
      Latency: latency,
    }),
  );
}

async function handle(event) {
  const { connectionId, requestId, requestTimeEpoch } = event.requestContext;
  const began = performance.now();
  const frame = JSON.parse(event.body);
  const { clientMessageId } = frame;
  const answer = (body) => ({ statusCode: 200, body: JSON.stringify(body) });
  const { refused, message, pushes } = await send(frame, connectionId, requestTimeEpoch);
  if (refused) return answer({ type: 'error', code: refused, clientMessageId, requestId });
  log(requestId, pushes, performance.now() - began);
  const { roomId, timestamp, seq } = message;
  return answer({ type: 'sent', clientMessageId, roomId, timestamp, seq, duplicate: false });
}

run(async () => {
  // Both hosts are warmed while nobody waits; what they answer does not matter.
  const warm = [connectionOf('warm'), gateway.send(new DeleteConnectionCommand({ ConnectionId: 'warm' }))];
  await Promise.allSettled(warm);
  return handle;
});
