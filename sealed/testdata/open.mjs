// Opens the texts of vectors.json as docs/sealed-format.md says: node open.mjs vectors.json
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

const aes = (key, block) => {
  const c = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return Buffer.concat([c.update(block), c.final()]);
};

// XAES-256-GCM: the key of one message (https://c2sp.org/XAES-256-GCM).
function messageKey(key, nonce) {
  const l = aes(key, Buffer.alloc(16));
  const k1 = Buffer.alloc(16);
  for (let i = 0; i < 16; i++) k1[i] = (l[i] << 1) | (i < 15 ? l[i + 1] >> 7 : 0);
  if (l[0] & 0x80) k1[15] ^= 0x87;
  return Buffer.concat([1, 2].map((counter) => {
    const m = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    return aes(key, m.map((b, i) => b ^ k1[i]));
  }));
}

export function open(key, text, ad) {
  const all = Buffer.from(text, "base64url");
  const [format, id, nonce] = [all[0], all.subarray(1, 5), all.subarray(5, 29)];
  if (format !== 1) throw new Error("a newer version has sealed this");
  const own = createHmac("sha256", key).update("sojourn sealed key id").digest().subarray(0, 4);
  if (!own.equals(id)) throw new Error("another key has sealed this");
  const gcm = createDecipheriv("aes-256-gcm", messageKey(key, nonce), nonce.subarray(12));
  gcm.setAAD(Buffer.concat([all.subarray(0, 5), ad]));
  gcm.setAuthTag(all.subarray(-16));
  const body = Buffer.concat([gcm.update(all.subarray(29, -16)), gcm.final()]);
  let plain = body.subarray(1);
  if (body[0] & 2) plain = plain.subarray(0, plain.lastIndexOf(0x80));
  return body[0] & 1 ? inflateRawSync(plain) : plain;
}

for (const v of JSON.parse(readFileSync(process.argv[2]))) {
  const plain = open(Buffer.from(v.key, "base64url"), v.text, Buffer.from(v.ad, "hex"));
  if (plain.toString("hex") !== v.plain) throw new Error(v.what + ": " + plain.toString("hex"));
  console.log("opened: " + v.what);
}
