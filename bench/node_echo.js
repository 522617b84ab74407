// Node's TLS echo, as fast as Node does it: one data handler that writes back, no stream pipe.
// node_echo.js CERT KEY VERSION CIPHERS GROUPS       prints the port that it listens on
'use strict';
const fs = require('fs');
const tls = require('tls');

const [cert, key, version, ciphers, groups] = process.argv.slice(2);
const server = tls.createServer({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ciphers,
  ecdhCurve: groups,
  minVersion: version,
  maxVersion: version,
  noDelay: true,
}, (socket) => {
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => socket.destroy());
});
server.on('tlsClientError', () => {});
server.listen({port: 0, host: '127.0.0.1', backlog: 1024}, () => {
  console.log(server.address().port);
});
