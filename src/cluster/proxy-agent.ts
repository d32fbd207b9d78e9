// The whole of undici, for those who have a proxy only. A file of its own to be imported lazily: bundled, a package in
// CommonJS has no named exports where it is imported lazily itself.
export { EnvHttpProxyAgent } from "undici";
