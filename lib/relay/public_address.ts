import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Special-purpose addresses (IANA's registries): of this machine, of private networks, of no single machine. */
const SPECIAL_4: readonly (readonly [net: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Of IPv6 only 2000::/3 is given out to machines of the internet, and of that not these. */
const GLOBAL_6 = ["2000::", 3] as const;
const SPECIAL_6: readonly (readonly [net: string, prefix: number])[] = [
  // Teredo, ORCHID and others; 6to4 hides an IPv4 address.
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [net, prefix] of SPECIAL_4) special.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of SPECIAL_6) special.addSubnet(net, prefix, "ipv6");
const global = new BlockList();
global.addSubnet(...GLOBAL_6, "ipv6");

/** Whether an IP address is one that anybody on the internet reaches. False for anything else, text included. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, "ipv4");
  return isIPv6(address) && global.check(address, "ipv6") &&
    !special.check(address, "ipv6");
}
