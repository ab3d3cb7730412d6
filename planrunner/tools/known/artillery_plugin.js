// Given to Artillery as a plugin: writes each HTTP request down, as a line of JSON.
// A line is a list: [end in ms since 1970, milliseconds or null, method, URL, name, status, size, error].
'use strict';

const fs = require('fs');

const file = process.env.PLANRUNNER_SAMPLES;
let lines = [];

function write() {
  if (lines.length) {
    fs.appendFileSync(file, lines.join(''));
    lines = [];
  }
}

function note(request, status, took, size, error) {
  const method = (request.method || 'GET').toUpperCase();
  const facts = [Date.now(), took, method, String(request.url || ''), request.name || ''];
  lines.push(JSON.stringify([...facts, status, size, error]) + '\n');
}

function afterResponse(request, response, context, events, next) {
  const phases = (response.timings && response.timings.phases) || {};
  const took = phases.total === undefined ? null : phases.total;
  const size = Number((response.headers || {})['content-length']) || 0;
  note(request, response.statusCode || 0, took, size, '');
  return next();
}

function onError(error, request, context, events, next) {
  note(request || {}, 0, null, 0, String((error && (error.code || error.message)) || error));
  return next();
}

class Plugin {
  constructor(script) {
    // Without a worker's data this is the process that only starts the others.
    if (!file) {
      return;
    }
    script.config.processor = script.config.processor || {};
    script.config.processor.planrunnerAfterResponse = afterResponse;
    script.config.processor.planrunnerOnError = onError;
    for (const scenario of script.scenarios || []) {
      scenario.afterResponse = [].concat(scenario.afterResponse || [], 'planrunnerAfterResponse');
      scenario.onError = [].concat(scenario.onError || [], 'planrunnerOnError');
    }
    setInterval(write, 200).unref();
    process.on('exit', write);
  }

  cleanup(done) {
    write();
    done(null);
  }
}

module.exports = { Plugin };
