/**
 * Errors of the emulator itself: what it refuses, in words for whoever wrote the script or the request.
 */

/**
 * Build an error to be thrown.
 *
 * @param {string} message
 * @param {Object=} facts properties by which callers tell errors apart, e.g. {duplicate: true, index: 'name'}
 * @returns {Error} with the name EmulatorError
 */
exports.error = function (message, facts) {
    var error = new Error(message);
    error.name = 'EmulatorError';
    Object.keys(facts || {}).forEach(function (name) { error[name] = facts[name]; });
    return error;
};
