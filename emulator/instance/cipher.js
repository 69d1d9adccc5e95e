/**
 * password2 columns: what is stored is AES-256-GCM ciphertext. [password-2way-encrypted-fields]
 */

var failure = require('./failure');

var IV_BYTES = 12;
var TAG_BITS = 128;
var PREFIX = 'gcm1:';

/**
 * Read the key of an instance, or make it on its first start. It lies beside the database, not in it.
 *
 * @param {string} path file that only its owner may read
 * @returns {Object} a Java SecretKey
 */
exports.key = function (path) {
    var file = java.nio.file.Paths.get(path);
    var Files = java.nio.file.Files;
    if (!Files.exists(file)) {
        var bytes = random(32);
        var owner = java.nio.file.attribute.PosixFilePermissions.fromString('rw-------');
        Files.createFile(file, java.nio.file.attribute.PosixFilePermissions.asFileAttribute(owner));
        Files.write(file, bytes);
    }
    return new javax.crypto.spec.SecretKeySpec(Files.readAllBytes(file), 'AES');
};

/** The stored form of a plain text; null and '' stay empty. */
exports.sealed = function (platform, plain) {
    if (plain === null || plain === undefined || String(plain) === '') {
        return null;
    }
    var iv = random(IV_BYTES);
    var text = new java.lang.String(String(plain)).getBytes('UTF-8');
    var encoder = java.util.Base64.getEncoder();
    return PREFIX + String(encoder.encodeToString(iv)) + ':' +
        String(encoder.encodeToString(crypt(platform, 'ENCRYPT_MODE', iv, text)));
};

/** The plain text of a stored form, or null. */
exports.opened = function (platform, stored) {
    if (stored === null || stored === undefined || stored === '') {
        return null;
    }
    var parts = String(stored).split(':');
    if (parts.length !== 3 || parts[0] + ':' !== PREFIX) {
        throw failure.error('the stored value of a password2 column is not ciphertext of this instance');
    }
    var decoder = java.util.Base64.getDecoder();
    return String(new java.lang.String(crypt(platform, 'DECRYPT_MODE', decoder.decode(parts[1]),
        decoder.decode(parts[2])), 'UTF-8'));
};

/** Is it something `sealed` made? */
exports.isSealed = function (stored) {
    return String(stored).indexOf(PREFIX) === 0;
};

function crypt(platform, mode, iv, bytes) {
    var engine = javax.crypto.Cipher.getInstance('AES/GCM/NoPadding');
    if (!platform.key) {
        throw failure.error('this instance has no key for password2 columns');
    }
    var parameters = new javax.crypto.spec.GCMParameterSpec(TAG_BITS, iv);
    engine.init(javax.crypto.Cipher[mode], platform.key, parameters);
    return engine.doFinal(bytes);
}

function random(length) {
    var bytes = java.lang.reflect.Array.newInstance(java.lang.Byte.TYPE, length);
    new java.security.SecureRandom().nextBytes(bytes);
    return bytes;
}
