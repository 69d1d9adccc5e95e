window.claudeTerminal = window.claudeTerminal || {};

/**
 * Seals an API key in this browser, so that only one sidecar can open it: a compact JWE, ECDH-ES on P-256 used
 * directly, with A256GCM. [RFC 7516, RFC 7518 sections 4.6 and 5.3]
 *
 * It does not say who sealed, and it keeps nothing: neither the API key nor the pair made for it.
 */
(function (ns) {
    'use strict';

    var CURVE = {name: 'ECDH', namedCurve: 'P-256'};
    var ENCRYPTION = 'A256GCM';
    var KEY_BITS = 256;
    var NONCE_BYTES = 12;
    var TAG_BYTES = 16;
    /** A coordinate of P-256, and a SHA-256: 32 bytes. */
    var THIRTY_TWO_BYTES = /^[A-Za-z0-9_-]{43}$/;
    /** What the sidecar takes for an API key. */
    var API_KEY = /^[\x21-\x7e]{8,512}$/;

    /** @returns {SubtleCrypto} which browsers give to secure pages only: https, or this very computer */
    function subtle() {
        var crypto = window.crypto;
        if (!crypto || !crypto.subtle) {
            throw new Error('This page cannot encrypt: open it over https, in a current browser.');
        }
        return crypto.subtle;
    }

    /** @param {string} text @returns {Uint8Array} its UTF-8 */
    function bytes(text) {
        var latin = unescape(encodeURIComponent(text));
        var found = new Uint8Array(latin.length);
        var i;
        for (i = 0; i < latin.length; i++) {
            found[i] = latin.charCodeAt(i);
        }
        return found;
    }

    /** @param {Uint8Array} data @returns {string} base64url without padding */
    function base64url(data) {
        var latin = '';
        var i;
        for (i = 0; i < data.length; i++) {
            latin += String.fromCharCode(data[i]);
        }
        return window.btoa(latin).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
    }

    /** @returns {Uint8Array} 32 bits, the most significant byte first */
    function word(number) {
        return new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
    }

    function joined(pieces) {
        var length = pieces.reduce(function (sum, piece) {
            return sum + piece.length;
        }, 0);
        var whole = new Uint8Array(length);
        pieces.reduce(function (at, piece) {
            whole.set(piece, at);
            return at + piece.length;
        }, 0);
        return whole;
    }

    function sha256(data) {
        return subtle().digest('SHA-256', data).then(function (digest) {
            return new Uint8Array(digest);
        });
    }

    /** @returns {Promise} of what `work` gives; what it throws is a rejection too */
    function promised(work) {
        return window.Promise.resolve().then(work);
    }

    function unfit() {
        return new Error('The sidecar\'s public key is not one that keys can be sealed to.');
    }

    /** @returns {Object} the public point alone, in the order that a thumbprint needs [RFC 7638 section 3.2] */
    function point(jwk) {
        if (!jwk || jwk.kty !== 'EC' || jwk.crv !== 'P-256' || !THIRTY_TWO_BYTES.test(jwk.x) ||
                !THIRTY_TWO_BYTES.test(jwk.y)) {
            throw unfit();
        }
        return {crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y};
    }

    /** The key for the content: one round of the Concat KDF is enough for it. [RFC 7518 section 4.6.2] */
    function contentKey(secret) {
        var nobody = word(0);
        return sha256(joined([word(1), secret, word(ENCRYPTION.length), bytes(ENCRYPTION), nobody, nobody,
            word(KEY_BITS)])).then(function (key) {
            return subtle().importKey('raw', key, 'AES-GCM', false, ['encrypt']);
        });
    }

    /** @returns {Promise} of {epk, key}: a public point made for this one seal, and the key agreed with it */
    function agreed(theirs) {
        return subtle().generateKey(CURVE, true, ['deriveBits']).then(function (pair) {
            return window.Promise.all([
                subtle().exportKey('jwk', pair.publicKey).then(point),
                subtle().importKey('jwk', theirs, CURVE, false, []).then(function (key) {
                    return subtle().deriveBits({name: 'ECDH', 'public': key}, pair.privateKey, KEY_BITS);
                }, function () {
                    throw unfit(); // it is no point of the curve
                }).then(function (secret) {
                    return contentKey(new Uint8Array(secret));
                })
            ]);
        }).then(function (made) {
            return {epk: made[0], key: made[1]};
        });
    }

    /** @returns {Promise} of the compact form; the header is authenticated with the content */
    function encrypted(key, header, plain) {
        var head = base64url(bytes(JSON.stringify(header)));
        var nonce = window.crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
        var how = {name: 'AES-GCM', iv: nonce, additionalData: bytes(head), tagLength: TAG_BYTES * 8};
        return subtle().encrypt(how, key, plain).then(function (both) {
            var data = new Uint8Array(both);
            var end = data.length - TAG_BYTES;
            return [head, '', base64url(nonce), base64url(data.subarray(0, end)),
                base64url(data.subarray(end))].join('.');
        });
    }

    /**
     * @param {{kty: string, crv: string, x: string, y: string}} jwk a public key on P-256
     * @returns {Promise<string>} its thumbprint [RFC 7638]
     */
    ns.thumbprint = function (jwk) {
        return promised(function () {
            return sha256(bytes(JSON.stringify(point(jwk)))).then(base64url);
        });
    };

    /**
     * Check that a public key is what its id says, and one of the pinned ones if there are any.
     *
     * @param {Object} jwk with kid
     * @param {string[]} pinned thumbprints; none: any key
     * @returns {Promise<Object>} the same key; else an error whose message a user can read
     */
    ns.trusted = function (jwk, pinned) {
        return ns.thumbprint(jwk).then(function (thumbprint) {
            if (thumbprint !== jwk.kid) {
                throw new Error('The sidecar\'s public key does not match its id. Nothing was sent. ' +
                    'Tell your administrator.');
            }
            if (pinned.length && pinned.indexOf(thumbprint) < 0) {
                throw new Error('The sidecar\'s public key is not one that your administrator has allowed. ' +
                    'Nothing was sent. The property x_claude_terminal.sealing_keys names the allowed ones.');
            }
            return jwk;
        });
    };

    /**
     * Seal an API key.
     *
     * @param {Object} jwk the sidecar's public key, with kid
     * @param {string} apiKey
     * @param {string} userId whose key it is; the sidecar refuses it for anybody else
     * @param {number} seconds the time now, since 1970; the sidecar refuses it a day later
     * @returns {Promise<string>} a compact JWE
     */
    ns.seal = function (jwk, apiKey, userId, seconds) {
        return ns.trusted(jwk, []).then(function () {
            if (!API_KEY.test(apiKey)) {
                throw new Error('An API key has 8 to 512 visible ASCII characters, and no spaces.');
            }
            return agreed(point(jwk));
        }).then(function (agreement) {
            var plain = bytes(apiKey);
            return encrypted(agreement.key, {alg: 'ECDH-ES', enc: ENCRYPTION, kid: jwk.kid, userId: userId,
                iat: Math.floor(seconds), epk: agreement.epk}, plain).then(function (sealed) {
                plain.fill(0); // this copy at least does not wait for the collector
                return sealed;
            });
        });
    };
}(window.claudeTerminal));
