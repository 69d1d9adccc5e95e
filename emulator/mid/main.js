/**
 * An emulated MID Server: `main.js --home DIR`. What it does and does not is in README.md.
 *
 * This file only puts the parts together, in the order in which they need each other.
 */

var amb = require('amb');
var answer = require('answer');
var cipher = require('cipher');
var configuration = require('configuration');
var firewall = require('firewall');
var includes = require('includes');
var input = require('input');
var log = require('log');
var pickup = require('pickup');
var pools = require('pools');
var probes = require('probes');
var registration = require('registration');
var sender = require('sender');
var soap = require('soap');
var statistics = require('statistics');

var LARGEST_BYTES = 20000000;
var GOODBYE_MS = 2000;

main(Array.prototype.slice.call(arguments));

function main(words) {
    var mid = {};
    try {
        prepare(mid, home(words));
    } catch (error) {
        java.lang.System.err.println('The MID Server cannot start: ' + error.message);
        java.lang.System.exit(2);
    }
    enter(mid);
    connect(mid);
    print('emulated MID Server ' + mid.name + ' is up');
    mid.log.info('up as ' + mid.sysId);
    mid.pickup.run();
}

function home(words) {
    var folder;
    if (words.length !== 2 || String(words[0]) !== '--home') {
        throw new Error('use: main.js --home DIR');
    }
    folder = new java.io.File(words[1]).getAbsoluteFile();
    if (!folder.isDirectory()) {
        throw new Error(folder + ' is not a folder');
    }
    return folder;
}

/** What is found in the home folder, before anything is sent. */
function prepare(mid, folder) {
    mid.log = log.open(new java.io.File(folder, 'logs'));
    mid.config = configuration.read(
        new java.io.File(folder, 'config.xml'), cipher.open(new java.io.File(folder, 'security/key')));
    mid.name = mid.config.get('name');
    mid.agent = 'mid.server.' + mid.name;
    mid.firewall = firewall.read(new java.io.File(folder, 'boot-config.yaml'));
    mid.pools = pools.start(mid.config);
    mid.soap = soap.connect(mid.config.get('url'), {
        name: mid.config.get('mid.instance.username'), password: mid.config.get('mid.instance.password')
    });
    mid.library = includes.library(mid.soap, mid.log);
    mid.sender = sender.open({
        folder: new java.io.File(folder, 'work/monitors/ECCSender'),
        soap: mid.soap,
        log: mid.log,
        largestBytes: mid.config.number('mid.eccq.max_payload_size', LARGEST_BYTES),
        tooLarge: tooLarge
    });
}

/** Become known to the instance; it may start later than this MID. */
function enter(mid) {
    var attempt = 0;
    while (!entered(mid, attempt)) {
        attempt += 1;
    }
    mid.sysId = mid.registration.sysId;
    mid.parameter = function (name) {
        var own = mid.config.get(name);
        return own === null ? mid.registration.property(name) : own;
    };
    mid.validated = mid.registration.validated;
    java.lang.Runtime.getRuntime().addShutdownHook(
        new java.lang.Thread(new java.lang.Runnable({run: function () { leave(mid); }}), 'Shutdown'));
}

function entered(mid, attempt) {
    try {
        mid.registration = registration.register(mid.soap, mid.config);
        mid.log.info(mid.library.load() + ' MID script includes');
        return true;
    } catch (error) {
        if (attempt === 0) {
            print('waiting for the instance: ' + error.message);
            mid.log.warn('waiting for the instance: ' + error.message);
        }
        java.lang.Thread.sleep(sender.pauseMs(error, attempt));
        return false;
    }
}

/**
 * Start everything that moves rows. The subscription comes before the first look, lest a row fall in
 * between.
 */
function connect(mid) {
    mid.commands = {
        reload_script_includes: function () { return mid.library.load() + ' MID script includes'; }
    };
    mid.run = probes.runner(mid);
    mid.work = function (row) { work(mid, row); };
    mid.pickup = pickup.loop(mid);
    mid.sender.start();
    statistics.start(mid);
    if (!mid.config.flag('mid.disable_amb')) {
        amb.subscriber({
            url: mid.config.get('url'), soap: mid.soap, log: mid.log,
            channel: '/mid/server/' + mid.sysId, onMessage: mid.pickup.onMessage
        }).start();
    }
    mid.pickup.start();
}

function work(mid, row) {
    var started = Date.now();
    var payload = mid.run(row);
    mid.sender.send(input.answering(row, payload), row.sys_id);
    mid.log.info(row.topic + ' ' + row.sys_id + ': ' + payload.length + ' characters, ' +
        (Date.now() - started) + ' ms');
}

function tooLarge(row, text) {
    var output = {sys_id: row.response_to, queue: 'output'};
    ['agent', 'topic', 'name', 'source', 'priority', 'agent_correlator'].forEach(function (name) {
        output[name] = row[name];
    });
    return answer.error({row: output, parameters: []}, text, 0);
}

/**
 * Say goodbye if the instance listens, and end with status 0; what was running is run again after the next
 * start.
 */
function leave(mid) {
    var farewell = new java.lang.Thread(new java.lang.Runnable({run: function () {
        try {
            mid.registration.down();
        } catch (ignore) {
            mid.log.warn('the instance could not be told');
        }
    }}));
    farewell.setDaemon(true);
    farewell.start();
    farewell.join(GOODBYE_MS);
    mid.log.info('ended');
    java.lang.Runtime.getRuntime().halt(0);
}
