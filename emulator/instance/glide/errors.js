/**
 * The errors a scripted REST resource throws to answer with a status. [r_ScriptedRESTServiceScriptExamples]
 */

/** Status and the message that stands in when the script gives none. */
var KINDS = {
    BadRequestError: [400, 'Bad Request'],
    NotFoundError: [404, 'Not Found'],
    NotAcceptableError: [406, 'Not Acceptable'],
    ConflictError: [409, 'Conflict'],
    UnsupportedMediaTypeError: [415, 'Unsupported Media Type']
};

var SERVER_ERROR = 500;

/** What `sn_ws_err.ServiceError` makes; the others start from it. The REST layer reads the three fields. */
function ServiceError() {
    this.status = SERVER_ERROR;
    this.message = '';
    this.detail = '';
}

exports.ServiceError = ServiceError;

ServiceError.prototype = {
    constructor: ServiceError,
    name: 'ServiceError',
    setStatus: function (status) { this.status = status; },
    setMessage: function (message) { this.message = String(message); },
    setDetail: function (detail) { this.detail = String(detail); },
    toString: function () { return this.name + ': ' + this.message; }
};

exports.install = function (scope) {
    scope.sn_ws_err = Object.keys(KINDS).reduce(function (errors, name) {
        errors[name] = kind(name, KINDS[name][0], KINDS[name][1]);
        return errors;
    }, {ServiceError: ServiceError});
};

function kind(name, status, usual) {
    function RestError(message) {
        ServiceError.call(this);
        this.status = status;
        this.message = message === undefined || message === null ? usual : String(message);
    }
    RestError.prototype = Object.create(ServiceError.prototype);
    RestError.prototype.constructor = RestError;
    RestError.prototype.name = name;
    return RestError;
}
