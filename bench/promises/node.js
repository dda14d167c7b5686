// SPDX-License-Identifier: ISC
// Node.js: the promises whose order gyre's follow. Same arguments and output as the C programs beside it. A tenth is
// done beforehand, so that the compiler has done its work by then. A batch is an immediate, as it is for gyre.
'use strict';

const CHAIN_STEPS = 10;
const ALL_COUNT = 1000;
const BATCH = 100;

function arg(name, otherwise) {
    const at = process.argv.indexOf('--' + name);
    return at < 0 ? otherwise : process.argv[at + 1];
}

const variant = arg('variant', 'promise_then');
const size = Number(arg('size', 1000000));
let sum = 0;

function add(value) {
    sum++;
    return value;
}

function make() {
    let resolve;
    const promise = new Promise((fn) => { resolve = fn; });
    return { promise, resolve };
}

const batches = {
    promise_then() {
        for (let i = 0; i < BATCH; i++) {
            const { promise, resolve } = make();
            promise.then(add);
            resolve(1);
        }
        return BATCH;
    },
    promise_chain() {
        for (let i = 0; i < BATCH / CHAIN_STEPS; i++) {
            const { promise, resolve } = make();
            let last = promise;
            for (let step = 0; step < CHAIN_STEPS; step++) {
                last = last.then(add);
            }
            resolve(1);
        }
        return BATCH;
    },
    promise_all() {
        const all = [];
        for (let i = 0; i < ALL_COUNT; i++) {
            all.push(make());
        }
        Promise.all(all.map((p) => p.promise)).then((values) => {
            for (const value of values) {
                sum += value;
            }
        });
        for (const p of all) {
            p.resolve(1);
        }
        return ALL_COUNT;
    },
};

function run(count, then) {
    let done = 0;
    function next() {
        if (done >= count) {
            then();
            return;
        }
        done += batches[variant]();
        setImmediate(next);
    }
    next();
}

function measure() {
    sum = 0;
    const cpuBefore = process.cpuUsage();
    const before = process.hrtime.bigint();
    run(size, () => {
        const wall = Number(process.hrtime.bigint() - before);
        const cpu = process.cpuUsage(cpuBefore);
        if (sum !== size) {
            throw new Error('a reaction did not run');
        }
        console.log(JSON.stringify({
            workload: variant,
            contender: 'node',
            ops: size,
            cpu_ns: (cpu.user + cpu.system) * 1000 / size,
            wall_ns: wall / size,
        }));
    });
}

function measureMemory() {
    const kept = new Array(size);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < size; i += 2) {
        kept[i] = new Promise(() => {});
        kept[i + 1] = kept[i].then(add);
    }
    const bytes = process.memoryUsage().heapUsed - before;
    console.log(JSON.stringify({ workload: variant, contender: 'node', bytes: bytes / kept.length }));
}

if (variant === 'promise_memory') {
    measureMemory();
} else {
    run(Math.ceil(size / 10 / ALL_COUNT) * ALL_COUNT, measure);
}
