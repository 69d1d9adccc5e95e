/**
 * The system properties: type, description and who may read and write them.
 *
 * A value is written only where there is none: what the administrator has set is kept.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var WANTED = /* wanted records sys_properties */ [];

    new Convergence(WANTED, DRY_RUN).run();
})();
