/** Values of `config.xml` that are kept encrypted, with a key of this MID's own beside them. */

var PREFIX = 'encrypted:';
var KEY_BITS = 256;
var NONCE_BYTES = 12;
var TAG_BITS = 128;
var random = new java.security.SecureRandom();

/**
 * Open the MID's key, made at the first start.
 *
 * @param {java.io.File} file where the key is
 * @returns {{sealed: function(string): boolean, seal: function(string): string, open: function(string):
 *     string}}
 */
exports.open = function (file) {
    var key = file.exists() ? read(file) : create(file);
    return {
        sealed: function (text) { return text.indexOf(PREFIX) === 0; },
        seal: function (text) {
            var nonce = bytes(NONCE_BYTES);
            random.nextBytes(nonce);
            return PREFIX + encode(nonce) + '.' + encode(apply(1, key, nonce, utf8(text)));
        },
        open: function (text) {
            var parts = text.substring(PREFIX.length).split('.');
            return String(new java.lang.String(apply(2, key, decode(parts[0]), decode(parts[1])), 'UTF-8'));
        }
    };
};

/** @param mode 1 encrypts, 2 decrypts (Cipher's own constants) */
function apply(mode, key, nonce, data) {
    var cipher = Packages.javax.crypto.Cipher.getInstance('AES/GCM/NoPadding');
    cipher.init(mode, key, new Packages.javax.crypto.spec.GCMParameterSpec(TAG_BITS, nonce));
    return cipher.doFinal(data);
}

function create(file) {
    var raw = bytes(KEY_BITS / 8);
    var owner = java.nio.file.attribute.PosixFilePermissions.fromString('rw-------');
    random.nextBytes(raw);
    file.getParentFile().mkdirs();
    java.nio.file.Files.createFile(
        file.toPath(), java.nio.file.attribute.PosixFilePermissions.asFileAttribute(owner));
    java.nio.file.Files.write(file.toPath(), raw);
    return new Packages.javax.crypto.spec.SecretKeySpec(raw, 'AES');
}

function read(file) {
    var raw = java.nio.file.Files.readAllBytes(file.toPath());
    return new Packages.javax.crypto.spec.SecretKeySpec(raw, 'AES');
}

function bytes(count) {
    return java.lang.reflect.Array.newInstance(java.lang.Byte.TYPE, count);
}

function utf8(text) {
    return new java.lang.String(text).getBytes('UTF-8');
}

function encode(data) {
    return String(java.util.Base64.getEncoder().encodeToString(data));
}

function decode(text) {
    return java.util.Base64.getDecoder().decode(text);
}
