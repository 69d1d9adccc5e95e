/**
 * The MID's log file, DIR/logs/agent.log.
 *
 * Callers name rows, topics, sizes and times, never what a payload holds: the file stays on the host for
 * long.
 */

/** A full file is kept once under another name, so that a long run cannot fill the disk. */
var LARGEST_BYTES = 10 * 1024 * 1024;

/**
 * Open the log.
 *
 * @param {java.io.File} folder where agent.log goes; made when missing
 * @returns {{info: function(string), warn: function(string), error: function(string)}}
 */
exports.open = function (folder) {
    var file = new java.io.File(folder, 'agent.log');
    var lock = new java.util.concurrent.locks.ReentrantLock();

    function write(level, text) {
        lock.lock();
        try {
            turnOver(file);
            append(file, line(level, text));
        } finally {
            lock.unlock();
        }
    }

    folder.mkdirs();
    return {
        info: function (text) { write('INFO ', text); },
        warn: function (text) { write('WARN ', text); },
        error: function (text) { write('ERROR', text); }
    };
};

/** One call is one line, so that a script cannot write entries that look like the MID's own. */
function line(level, text) {
    var thread = java.lang.Thread.currentThread().getName();
    var flat = String(text).replace(/[\r\n]+/g, ' | ');
    return java.time.Instant.now() + ' ' + level + ' (' + thread + ') ' + flat + '\n';
}

function append(file, text) {
    var stream = new java.io.FileOutputStream(file, true);
    try {
        stream.write(new java.lang.String(text).getBytes('UTF-8'));
    } finally {
        stream.close();
    }
}

function turnOver(file) {
    if (file.length() > LARGEST_BYTES) {
        file.renameTo(new java.io.File(file.getPath() + '.1'));
    }
}
