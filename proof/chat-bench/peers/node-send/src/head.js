// A room's head: lists are binary, one entry after the other. `sender (1) id (16) at (8)`, `member (1) thousandths (8) at (8)`.

const RECENT_BYTES = 25;
const RECENT_MAX = 8;
const BUCKET_BYTES = 17;
const FULL = 30_000n;

function* entries(bytes, size) {
  for (let start = 0; start < (bytes?.length ?? 0); start += size) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + start, size);
  }
}

export function decode(item) {
  const recent = Array.from(entries(item.recent.B, RECENT_BYTES), (entry) => ({
    sender: String.fromCharCode(entry[0]),
    id: entry.toString('hex', 1, 17),
    at: Number(entry.readBigInt64BE(17)),
  }));
  const buckets = new Map(
    Array.from(entries(item.buckets?.B, BUCKET_BYTES), (entry) => [
      String.fromCharCode(entry[0]),
      { thousandths: entry.readBigInt64BE(1), at: entry.readBigInt64BE(9) },
    ]),
  );
  return { seq: Number(item.seq.N), sent: { A: Number(item.sentA.N), B: Number(item.sentB.N) }, recent, buckets };
}

/** The head after one more message, and that message's place; or why not. */
export function append(head, sender, id, now) {
  const at = Math.max(now, head.recent.at(-1).at + 1);
  const seq = head.seq + 1;
  const bucket = head.buckets.get(sender) ?? { thousandths: FULL, at: BigInt(now) };
  const elapsed = BigInt(now) - bucket.at;
  const refilled = bucket.thousandths + (elapsed > 0n ? elapsed : 0n);
  const available = refilled < FULL ? refilled : FULL;
  if (available < 1_000n) return { refused: 'rateLimited' };
  const buckets = new Map(head.buckets).set(sender, { thousandths: available - 1_000n, at: BigInt(now) });
  const recent = [...head.recent, { sender, id, at }].slice(-RECENT_MAX);
  const sent = { ...head.sent, [sender]: head.sent[sender] + 1 };
  return { seq, at, sent, recent, buckets, senderSeq: sent[sender] };
}

export function encodeRecent(recent) {
  const bytes = Buffer.alloc(recent.length * RECENT_BYTES);
  recent.forEach(({ sender, id, at }, index) => {
    const start = index * RECENT_BYTES;
    bytes.write(sender, start, 'latin1');
    bytes.write(id, start + 1, 'hex');
    bytes.writeBigInt64BE(BigInt(at), start + 17);
  });
  return bytes;
}

export function encodeBuckets(buckets) {
  const members = [...buckets.keys()].sort();
  const bytes = Buffer.alloc(members.length * BUCKET_BYTES);
  members.forEach((member, index) => {
    const { thousandths, at } = buckets.get(member);
    const start = index * BUCKET_BYTES;
    bytes.write(member, start, 'latin1');
    bytes.writeBigInt64BE(thousandths, start + 1);
    bytes.writeBigInt64BE(at, start + 9);
  });
  return bytes;
}
