(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return new ClaudeTerminalPoller().complete(call.body());
    });
})(request, response);
