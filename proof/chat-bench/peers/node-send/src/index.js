// `sendMessage` as `send` does it: the same calls of AWS in the same order, the same checks, the same answer.
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { DynamoDBClient, GetItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
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

function commit(message, before, after) {
  const put = {
    TableName: env.MESSAGES_TABLE,
    Item: {
      roomId: { S: message.roomId },
      timestamp: { S: message.timestamp },
      senderEmail: { S: message.senderEmail },
      receiverEmail: { S: message.receiverEmail },
      read: { BOOL: false },
      seq: { N: String(message.seq) },
      senderSeq: { N: String(after.senderSeq) },
      clientMessageId: { S: message.clientMessageId },
      kind: { S: 'text' },
      message: { S: message.message },
    },
    ConditionExpression: 'attribute_not_exists(roomId)',
  };
  const update = {
    TableName: env.ROOMS_TABLE,
    Key: { roomId: { S: message.roomId } },
    UpdateExpression:
      'SET seq = :seq, sentA = :sentA, sentB = :sentB, lastKind = :lastKind, preview = :preview, recent = :recent, buckets = :buckets REMOVE openProposals',
    ConditionExpression: 'seq = :before',
    ExpressionAttributeValues: {
      ':before': { N: String(before.seq) },
      ':seq': { N: String(after.seq) },
      ':sentA': { N: String(after.sent.A) },
      ':sentB': { N: String(after.sent.B) },
      ':lastKind': { S: 'text' },
      ':preview': { S: message.message.slice(0, 80) },
      ':recent': { B: encodeRecent(after.recent) },
      ':buckets': { B: encodeBuckets(after.buckets) },
    },
  };
  return dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: put }, { Update: update }] }));
}

async function push(connection, frame) {
  try {
    await gateway.send(new PostToConnectionCommand({ ConnectionId: connection, Data: frame }));
  } catch (error) {
    // A push is a hint: a client that misses it syncs.
    console.log(JSON.stringify({ level: 'WARN', outcome: error.name }));
  }
}

async function handle(event) {
  const { connectionId, requestId, requestTimeEpoch } = event.requestContext;
  const began = performance.now();
  const frame = JSON.parse(event.body);
  const refuse = (code) => ({
    statusCode: 200,
    body: JSON.stringify({ type: 'error', code, clientMessageId: frame.clientMessageId, requestId }),
  });
  if (frame.action !== 'sendMessage' || !frame.message || Buffer.byteLength(frame.message) > 8_192) {
    return refuse('badRequest');
  }
  const connection = known.get(connectionId) ?? (await connectionOf(connectionId));
  if (!connection) return refuse('unknownConnection');
  known.set(connectionId, connection);
  if (Date.parse(connection.authExpiresAt.S) <= requestTimeEpoch) return refuse('authExpired');

  const [sender, receiver] = [connection.email.S, frame.receiverEmail.toLowerCase()];
  const members = [sender, receiver].sort();
  const room = members.join('#');
  const member = sender === members[0] ? 'A' : 'B';
  const [item, ours, theirs] = await Promise.all([headOf(room), connectionsOf(sender), connectionsOf(receiver)]);

  const head = decode(item);
  const id = hex(frame.clientMessageId);
  if (head.recent.some((recent) => recent.id === id && recent.sender === member)) return refuse('idReused');
  if (head.recent[0].at > Date.parse(frame.after)) return refuse('resyncNeeded');
  const after = append(head, member, id, requestTimeEpoch);
  if (after.error) return refuse(after.error);
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
  await Promise.all(audience.map((other) => push(other, pushed)));

  console.log(JSON.stringify({ level: 'INFO', requestId, outcome: 'stored', pushes: audience.length }));
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
      Pushes: audience.length,
      Latency: performance.now() - began,
    }),
  );
  const sent = {
    type: 'sent',
    clientMessageId: frame.clientMessageId,
    roomId: room,
    timestamp: message.timestamp,
    seq: message.seq,
    duplicate: false,
  };
  return { statusCode: 200, body: JSON.stringify(sent) };
}

run(async () => {
  // Both hosts are warmed while nobody waits; what they answer does not matter.
  const warm = [connectionOf('warm'), gateway.send(new DeleteConnectionCommand({ ConnectionId: 'warm' }))];
  await Promise.allSettled(warm);
  return handle;
});
