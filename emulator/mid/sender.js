/**
 * ECCSender: answers lie as files below work/monitors/ECCSender until the instance has acknowledged them.
 *
 * One thread posts them in order, so a MID that is killed, or cannot reach the instance, loses none.
 * [KB0855595]
 */

var soap = require('soap');
var xml = require('xml');

var FOLDERS = ['output_0', 'output_1', 'output_2', 'output_s'];
var OVERSIZE = 'output_oversize';
var REFUSED = 'output_refused';
var RETRY_MS = [200, 500, 1000, 2000, 5000];

/**
 * Start posting.
 *
 * @param {{folder: java.io.File, soap: Object, log: Object, largestBytes: number,
 *     tooLarge: function(Object, string): string}} options `tooLarge` makes the payload that goes instead
 * @returns {{send: function(Object, ?string), start: function(), waiting: function(): number}}
 */
exports.open = function (options) {
    var queue = new java.util.concurrent.PriorityBlockingQueue();
    var order = new java.util.concurrent.atomic.AtomicLong(0);

    /** Urgent folders first and, within one, the order in which answers were finished. */
    function enqueue(name, file) {
        queue.put(new java.lang.String(name + ' ' + padded(order.incrementAndGet()) + ' ' + file.getName()));
    }

    function next() {
        var parts = String(queue.take()).split(' ');
        return new java.io.File(new java.io.File(options.folder, parts[0]), parts[2]);
    }

    return {
        /** Keep an input row and post it when its turn comes; `id` names the file. */
        send: function (row, id, folder) {
            var name = folder || folderOf(row.priority);
            var file = new java.io.File(new java.io.File(options.folder, name), 'ecc_queue.' + id + '.xml');
            write(file, serialized(limited(options, row, file)));
            enqueue(name, file);
        },
        /** Make the folders, take up what an earlier run left, and post in a thread of its own. */
        start: function () {
            FOLDERS.concat(OVERSIZE, REFUSED).forEach(function (name) {
                new java.io.File(options.folder, name).mkdirs();
            });
            FOLDERS.forEach(function (name) {
                leftIn(new java.io.File(options.folder, name)).forEach(function (file) {
                    enqueue(name, file);
                });
            });
            thread(function () { deliver(options, next()); });
        },
        waiting: function () { return queue.size(); }
    };
};

function thread(step) {
    var worker = new java.lang.Thread(new java.lang.Runnable({run: function () {
        while (true) {
            step();
        }
    }}), 'ECCSender');
    worker.setDaemon(true);
    worker.start();
}

/** Post one file until the instance has taken it or refused it for good. */
function deliver(options, file) {
    var attempt = 0;
    if (!file.exists()) {
        return; // a second answer to the same row replaced it, and is gone already
    }
    while (!posted(options, file, attempt)) {
        attempt += 1;
    }
}

function posted(options, file, attempt) {
    try {
        if (options.soap.insert('ecc_queue', read(file)) === null) {
            throw new soap.Refusal('the instance kept no row', 400, null);
        }
        file['delete']();
        return true;
    } catch (error) {
        return failed(options, file, attempt, error);
    }
}

function failed(options, file, attempt, error) {
    if (error instanceof soap.Refusal && !error.passing()) {
        options.log.error(file.getName() + ' was refused: ' + error.message);
        move(file, new java.io.File(new java.io.File(options.folder, REFUSED), file.getName()));
        return true;
    }
    if (attempt === 0) {
        options.log.warn(file.getName() + ' is kept for later: ' + error.message);
    }
    java.lang.Thread.sleep(exports.pauseMs(error, attempt));
    return false;
}

/** How long to wait after a failure: what the instance asked for, else longer each time. */
exports.pauseMs = function (error, attempt) {
    var asked = error.retryAfterSeconds;
    return asked ? asked * 1000 : RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
};

/** Above the limit the payload stays here and an error goes instead. [r_MIDServerProperties, KB2717223] */
function limited(options, row, file) {
    var size = new java.lang.String(row.payload).getBytes('UTF-8').length;
    var kept = new java.io.File(new java.io.File(options.folder, OVERSIZE), file.getName());
    if (size <= options.largestBytes) {
        return row;
    }
    write(kept, serialized(row));
    options.log.error(file.getName() + ' is too large: ' + size + ' bytes');
    row.payload = options.tooLarge(row, 'Payload size of ' + size + ' bytes exceeded maximum of ' +
        options.largestBytes + ' bytes. Contents of the original payload were moved to ' + kept.getPath());
    return row;
}

function folderOf(priority) {
    return priority === '0' || priority === '1' ? 'output_' + priority : 'output_2';
}

function leftIn(folder) {
    var files = folder.listFiles().filter(function (file) { return /\.xml$/.test(file.getName()); });
    return files.sort(function (a, b) { return a.lastModified() - b.lastModified(); });
}

function serialized(row) {
    var document = xml.create('ecc_queue');
    var root = document.getDocumentElement();
    Object.keys(row).forEach(function (name) { xml.append(root, name, {}, row[name]); });
    return xml.serialize(document);
}

function read(file) {
    var text = new java.lang.String(java.nio.file.Files.readAllBytes(file.toPath()), 'UTF-8');
    return xml.fields(xml.parse(text).getDocumentElement());
}

/** Under its final name there is never half a file, however the MID ends. */
function write(file, text) {
    var part = new java.io.File(file.getPath() + '.part');
    java.nio.file.Files.write(part.toPath(), new java.lang.String(text).getBytes('UTF-8'));
    move(part, file);
}

function move(from, to) {
    java.nio.file.Files.move(from.toPath(), to.toPath(),
        java.nio.file.StandardCopyOption.ATOMIC_MOVE, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
}

function padded(number) {
    return String(java.lang.String.format('%015d', [new java.lang.Long(number)]));
}
