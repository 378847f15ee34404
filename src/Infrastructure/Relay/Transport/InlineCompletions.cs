using System.Net.Sockets;
using System.Reflection;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// What a relay's socket is ready for is done on the thread that has seen it, without a hop to the thread pool: two thirds
/// of the CPU of a small call. Only the relay's own sockets: what runs behind them never waits, which nobody can promise
/// for a database driver's.
/// </summary>
internal static class InlineCompletions
{
    /// <summary>Read once, when the process opens its first socket.</summary>
    private const string ThreadCount = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    // The runtime has this switch for each socket, and no public name for it.
    private static readonly Action<Socket, bool>? Setter = typeof(Socket)
        .GetMethod("set_PreferInlineCompletions", BindingFlags.Instance | BindingFlags.NonPublic)?.CreateDelegate<Action<Socket, bool>>();

    /// <summary>Without it everything works, over the thread pool.</summary>
    public static bool AreSupported => Setter is not null;

    /// <summary>Before the process opens a socket: one thread that waits for sockets would be the relay's only core.</summary>
    public static void Prepare()
    {
        if (Environment.GetEnvironmentVariable(ThreadCount) is null)
            Environment.SetEnvironmentVariable(ThreadCount, Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Before the socket's first asynchronous operation.</summary>
    public static void Prefer(Socket socket) => Setter?.Invoke(socket, true);
}
