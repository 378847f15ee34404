// What no room may do, once each, in namespaces that repeat the product's: the rules must find it.
using System.Net.Sockets;
using SparkGateway.Samples.Features.Dial;
using SparkGateway.Samples.Infrastructure;

namespace SparkGateway.Samples.Domain
{
    internal sealed class NounWithAStore
    {
        public static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : throw new FluentValidation.ValidationException(path);
    }
}

namespace SparkGateway.Samples.Features.Dial
{
    internal sealed class OpenDial
    {
        public static Func<Socket> Later(ProtocolType protocol) => () => new Socket(SocketType.Stream, protocol);

        public static int Line(YamlDotNet.Core.Mark mark) => (int)mark.Line;
    }
}

namespace SparkGateway.Samples.Features.Ring
{
    internal sealed class OpenRing
    {
        public static object Use() => new OpenDial();
    }
}

namespace SparkGateway.Samples.Infrastructure.Relay.Http2
{
    internal sealed class ReadingFrames(Stream stream, Socket socket)
    {
        private readonly Lock gate = new();

        public int Read(byte[] bytes)
        {
            lock (gate) return stream.Read(bytes) + socket.Available;
        }
    }
}

namespace SparkGateway.Samples.Infrastructure.Relay.Calls
{
    internal sealed class WaitingCall(TimeProvider clock)
    {
        public async Task<DateTimeOffset> EndAsync()
        {
            await Task.Yield();
            return clock.GetUtcNow();
        }
    }
}

namespace SparkGateway.Samples.Infrastructure
{
    internal sealed class Store
    {
        public static object Show() => new Api.Verb();

        public static string Name(k8s.Models.V1Pod pod) => pod.Kind;
    }

    public sealed class OpenDetail;

    public sealed class NeededByApi;
}

namespace SparkGateway.Samples.Api
{
    internal sealed class Verb
    {
        public static object Needs() => new NeededByApi();
    }
}
