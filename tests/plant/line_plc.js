// A line PLC, written from config/registers/README.md and from nothing else.
//
//   node line_plc.js serve PORT   the PLC has the registers
//   node line_plc.js ask PORT     the station has them
//
// Standard input is what a line has at its inputs, one JSON object a line:
//   {"infeed": {"id": "SMH-0001", "type": 3}}   the sensor at the infeed sees a part, the reader its id, the recipe its type
//   {"infeed": null}                            the infeed is empty
//   {"press": "restart"}                        the program begins anew, with all of its memory 0
//   {"press": "command", "code": 3}             a button with a PackML command
// Standard output is one JSON object for each thing that the program sees or does.

"use strict";

const ModbusRTU = require("modbus-serial");
const readline = require("node:readline");

const CYCLE_MS = 40;
const STALE_MS = 2000;
const LOST_MS = 2000;
const SHOW_NONE_MS = 200;
const OUR_FIRST = 98;
const OUR_COUNT = 25;
const THEIR_COUNT = 66;
const STOPPED = 2;
const IDLE = 4;
const EXECUTE = 6;
const RESET = 1;
const START = 2;

// Every register of the map that has words, so that what lies between them can be left out.
const THEIR_REGISTERS = [[0, 7], [10, 17], [20, 20], [24, 26], [30, 50], [60, 62], [64, 65]];
const OUR_REGISTERS = [[98, 106], [110, 119], [122, 122]];

function tell(event, what) {
    process.stdout.write(JSON.stringify({ event, ...what }) + "\n");
}

function next(number) {
    return number % 65535 + 1;
}

/** The PLC's memory and its program; it knows nothing of who has the registers. */
class Program {
    constructor() {
        this.infeed = null;
        this.buttons = [];
        this.begin();
    }

    begin() {
        this.ours = new Uint16Array(OUR_COUNT);
        this.theirs = new Uint16Array(THEIR_COUNT);
        this.step = this.waitForStation;
        this.since = Date.now();
        this.theirBeat = this.firstBeat = null;
        this.theirBeatAt = 0;
        this.command = null;
        this.announced = null;
        this.nextPart = 0;
        this.nextCommand = 0;
        this.forgotten = true;
        this.refusalTried = false;
    }

    set(address, ...words) {
        this.ours.set(words, address - OUR_FIRST);
    }

    get(address) {
        return address < THEIR_COUNT ? this.theirs[address] : this.ours[address - OUR_FIRST];
    }

    get32(address) {
        return this.get(address) * 65536 + this.get(address + 1);
    }

    text(address, words) {
        let text = "";
        for (let i = 0; i < words; i++) {
            const word = this.get(address + i);
            text += String.fromCharCode(word >> 8, word & 0xFF);
        }
        return text.replace(/\0+$/, "");
    }

    cycle() {
        this.set(98, 1, 0xA55A, next(this.get(100)));
        const now = Date.now();
        if (this.get(10) !== this.theirBeat) {
            this.theirBeat = this.get(10);
            this.theirBeatAt = now;
        }
        this.stationLives = this.get(1) === 0xA55A && now - this.theirBeatAt < STALE_MS;
        this.step();
    }

    // ---- when a side begins anew

    waitForStation() {
        this.set(101, 0);
        this.set(119, 0);
        if (this.stationLives && this.firstBeat === null) {
            this.firstBeat = this.theirBeat;
        }
        if (!this.stationLives || this.firstBeat === this.theirBeat) {
            return;
        }
        const float = Buffer.alloc(4);
        float.writeUInt32BE(this.get32(2));
        tell("constants", {
            version: this.get(0),
            float: float.readFloatBE(),
            integer: this.get32(4),
            text: this.text(6, 2),
        });
        this.nextPart = next(this.get(20));
        this.nextCommand = next(this.get(24));
        this.since = Date.now();
        this.step = this.showNone;
        tell("begun", { part: this.nextPart, command: this.nextCommand, result: this.get(104) });
    }

    showNone() {
        if (Date.now() - this.since >= SHOW_NONE_MS) {
            this.set(101, 1);
            this.step = this.run;
        }
    }

    // ---- the line runs

    run() {
        if (!this.stationLives) {
            return; // what stands goes on standing
        }
        this.takeResult();
        this.handleCommand();
        this.handleInfeed();
    }

    give(code) {
        this.command = { code, number: this.nextCommand, givenAt: Date.now() };
        this.nextCommand = next(this.nextCommand);
        this.set(102, code, this.command.number);
    }

    handleCommand() {
        const state = this.get(11);
        if (this.command) {
            if (this.get(24) !== this.command.number) {
                if (Date.now() - this.command.givenAt > LOST_MS) {
                    this.give(this.command.code);
                }
                return;
            }
            tell("answer", { code: this.command.code, result: this.get(25), reason: this.get(26) });
            this.waitsForState = state;
            this.command = null;
            this.answeredAt = Date.now();
        } else if (this.buttons.length) {
            this.give(this.buttons.shift());
            this.byHand = true;
        } else if (!this.byHand && state === STOPPED && !this.refusalTried) {
            this.refusalTried = true;
            this.give(99);
        } else if (!this.byHand && state === STOPPED && this.settled()) {
            this.give(RESET);
        } else if (!this.byHand && state === IDLE && this.settled()) {
            this.give(START);
        }
    }

    /** Whether the state shows what the last command began, or it has had its time. */
    settled() {
        return this.get(11) !== this.waitsForState || Date.now() - this.answeredAt > 1000;
    }

    handleInfeed() {
        if (this.announced && this.infeed === null) {
            this.set(119, 0);
            this.announced = null;
        } else if (!this.announced && this.infeed !== null) {
            const id = Buffer.from(this.infeed.id.padEnd(16, " "), "latin1"); // a PLC that fills with blanks
            const words = Array.from({ length: 8 }, (_, i) => id.readUInt16BE(2 * i));
            this.set(110, ...words, this.infeed.type, this.nextPart);
            this.announced = { number: this.nextPart };
            this.nextPart = next(this.nextPart);
        } else if (this.announced && !this.announced.accepted && this.get(20) === this.announced.number) {
            this.announced.accepted = true;
            tell("accepted", { number: this.announced.number });
        }
    }

    takeResult() {
        const number = this.get(50);
        if (number === 0 || number === this.get(104)) {
            return;
        }
        const decision = this.get(41);
        if (decision + this.get(42) !== 65535) {
            tell("not_believed", { number });
            return;
        }
        this.set(104, number);
        tell("result", {
            number,
            inspection: this.get32(30),
            part_id: this.text(32, 8),
            type: this.get(40),
            decision,
            destination: this.get(43),
            confirmed_bin: this.get(44),
            confidence: this.get(45) / 10000,
            reason: this.get(48),
        });
    }
}

// ---- the PLC serves

function inside(ranges, address) {
    return ranges.some(([first, last]) => first <= address && address <= last);
}

function refuse(code) {
    const error = new Error("exception " + code);
    error.modbusErrorCode = code;
    throw error;
}

/** A server with exactly the registers of the map: an address between them is refused. */
function serve(program, port) {
    const server = new ModbusRTU.ServerTCP({
        getHoldingRegister(address) {
            if (inside(THEIR_REGISTERS, address) || inside(OUR_REGISTERS, address)) {
                return program.get(address);
            }
            return refuse(2);
        },
        setRegister(address, value) {
            if (!inside(THEIR_REGISTERS, address)) {
                refuse(2);
            }
            program.theirs[address] = value;
        },
    }, { host: "127.0.0.1", port, unitID: 1 });
    server.on("socketError", () => {}); // the station went away; it connects again
    setInterval(() => program.cycle(), CYCLE_MS);
}

// ---- the station serves

async function ask(program, port) {
    for (;;) {
        const client = new ModbusRTU();
        client.on("error", () => {}); // a request that waits is told, too
        try {
            await client.connectTCP("127.0.0.1", { port });
            client.setID(1);
            client.setTimeout(500);
            if (!program.forgotten) {
                await client.writeRegisters(OUR_FIRST, Array.from(program.ours)); // as it stood, nothing new in it
            }
            for (;;) {
                const acknowledged = program.forgotten ? (await client.readHoldingRegisters(104, 1)).data[0] : null;
                program.theirs.set((await client.readHoldingRegisters(0, THEIR_COUNT)).data);
                if (program.forgotten && acknowledged === null) {
                    continue; // it has just begun anew
                }
                if (program.forgotten) {
                    program.set(104, acknowledged);
                    program.forgotten = false;
                }
                program.cycle();
                await client.writeRegisters(OUR_FIRST, Array.from(program.ours));
                await new Promise((resolve) => setTimeout(resolve, CYCLE_MS));
            }
        } catch (error) {
            client.close(() => {});
            await new Promise((resolve) => setTimeout(resolve, 200));
        }
    }
}

const [, , role, port] = process.argv;
const program = new Program();
readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const input = JSON.parse(line);
    if ("infeed" in input) {
        program.infeed = input.infeed;
    } else if (input.press === "restart") {
        program.begin();
    } else {
        program.buttons.push(input.code);
    }
}).on("close", () => process.exit(0));
(role === "ask" ? ask : serve)(program, Number(port));
