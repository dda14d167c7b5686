// SPDX-License-Identifier: ISC
// Node.js: the EventEmitter whose rules gyre's follows. Same arguments and output as the C programs beside it. The
// first tenth of the emits is not measured, so that the compiler has done its work by then.
'use strict';

const { EventEmitter } = require('node:events');

function arg(name, otherwise) {
    const at = process.argv.indexOf('--' + name);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const size = arg('size', 10000000);
const listeners = arg('listeners', 1);
const sums = new Array(listeners).fill(0);
const emitter = new EventEmitter();

emitter.on('open', () => { throw new Error('another event was emitted'); });
emitter.on('close', () => { throw new Error('another event was emitted'); });
for (let i = 0; i < listeners; i++) {
    emitter.on('data', (payload) => { sums[i] += payload; });
}

function emit(count) {
    for (let i = 0; i < count; i++) {
        emitter.emit('data', 3);
    }
}

emit(size / 10);
const cpuBefore = process.cpuUsage();
const before = process.hrtime.bigint();
emit(size);
const wall = Number(process.hrtime.bigint() - before);
const cpu = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({
    workload: listeners === 1 ? 'emit_1' : 'emit_10',
    contender: 'node',
    listeners,
    ops: size,
    cpu_ns: (cpu.user + cpu.system) * 1000 / size,
    wall_ns: wall / size,
}));
