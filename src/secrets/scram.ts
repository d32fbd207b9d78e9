import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Rounds that PostgreSQL uses by default (`scram_iterations`). */
const iterations = 4096;

/**
 * What PostgreSQL stores of a password for SCRAM-SHA-256 (RFC 5803, RFC 7677): given this instead of the password,
 * the server never sees it. Pure.
 * @param password - ASCII, for which SASLprep changes nothing
 * @param salt - 16 random bytes
 */
export function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
