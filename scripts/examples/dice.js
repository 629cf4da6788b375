#!/usr/bin/env node
// Throws a die for "!roll"; the id decides the throw, so that doing it twice says the same. Mode sync: what it does not know it passes on.
//   stage -i ipc://run/to-dice -o ipc://run/in -a sync -s dice -- scripts/examples/dice.js
const lines = require('readline').createInterface({ input: process.stdin });
lines.on('line', line => {
  const e = JSON.parse(line);
  if (e.type !== 'chat.message') return console.log(line);
  if (!e.data.text.includes('!roll')) return;
  const eyes = 1 + [...e.id].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % 1009, 7) % 6;
  const data = { channel: e.data.channel, text: `${e.data.user.name} throws a ${eyes}` };
  console.log(JSON.stringify({ type: 'message.send', causationid: e.id, data }));
});
