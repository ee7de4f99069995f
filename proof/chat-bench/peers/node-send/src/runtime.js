// The Lambda Runtime API, and no more: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import http from 'node:http';

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { agent, hostname, port, method, path: `/2018-06-01/runtime${path}` };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const report = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message });

/** Starts with `start`, which makes the handler; then handles one event after the other. */
export async function run(start) {
  let handle;
  try {
    handle = await start();
  } catch (error) {
    await call('POST', '/init/error', report(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, body } = await call('GET', '/invocation/next');
    const ours = `/invocation/${headers['lambda-runtime-aws-request-id']}`;
    try {
      await call('POST', `${ours}/response`, JSON.stringify(await handle(JSON.parse(body))));
    } catch (error) {
      await call('POST', `${ours}/error`, report(error));
    }
  }
}
