/** The StatusMonitor: every ten minutes the MID tells how much its threads have to do. [KB0855595] */

var input = require('input');
var xml = require('xml');

var PERIOD_S = 600;
/** A parameter of the emulator alone: nobody wants to wait ten minutes for a test. */
var PARAMETER = 'emulator.stats_seconds';

/**
 * Start the monitor in a thread of its own.
 *
 * @param {{config: Object, agent: string, pools: Object, sender: Object}} mid
 */
exports.start = function (mid) {
    var periodMs = mid.config.number(PARAMETER, PERIOD_S) * 1000;
    var number = 0;
    var thread = new java.lang.Thread(new java.lang.Runnable({run: function () {
        while (true) {
            java.lang.Thread.sleep(periodMs);
            number += 1;
            report(mid, 'stats' + number);
        }
    }}), 'StatusMonitor');
    thread.setDaemon(true);
    thread.start();
};

function report(mid, id) {
    mid.sender.send(input.reporting(mid.agent, 'queue.stats', payload(mid)), id, 'output_s');
}

function payload(mid) {
    var document = xml.create('xmlstats');
    var root = document.getDocumentElement();
    mid.pools.counts().forEach(function (pool) {
        xml.append(root, 'pool', {name: pool.name, threads: String(pool.threads), tasks: String(pool.tasks)});
    });
    xml.append(root, 'sender', {waiting: String(mid.sender.waiting())});
    return xml.serialize(document);
}
