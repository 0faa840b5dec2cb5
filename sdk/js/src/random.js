/** 128 random bits, as text. Not `crypto.randomUUID`: pages without TLS don't have it. */
export function randomID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
