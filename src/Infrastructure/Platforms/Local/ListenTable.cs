using System.Globalization;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>
/// Who listens where on 127.0.0.1, as the kernel's tables say. All starting drivers share one reading of them: with hundreds of drivers
/// they are thousands of lines long, and each driver asks several times a second.
/// </summary>
internal sealed class ListenTable(TimeProvider time)
{
    private const string Listening = "0A";

    /// <summary>Older readings are not used: below any interval between two looks at a driver.</summary>
    private static readonly TimeSpan MostAge = TimeSpan.FromMilliseconds(100);

    // As the kernel prints them: 127.0.0.1 and all addresses, each in the IPv4 and the IPv6 table. Others do not clash with a driver.
    private static readonly string[] DriverAddresses = ["0100007F", "00000000", "0000000000000000FFFF00000100007F", "00000000000000000000000000000000"];

    private readonly Lock gate = new();
    private ILookup<int, string>? sockets;
    private long readAt;

    /// <summary>The sockets that listen on that port, as the descriptors of their processes name them.</summary>
    public IReadOnlyList<string> SocketsOn(int port)
    {
        lock (gate)
        {
            if (sockets is null || time.GetElapsedTime(readAt) >= MostAge)
            {
                readAt = time.GetTimestamp();
                sockets = ((string[])["/proc/net/tcp", "/proc/net/tcp6"]).SelectMany(ProcFs.Lines).Select(Parse).OfType<(int Port, string Socket)>()
                    .ToLookup(found => found.Port, found => found.Socket);
            }

            return [.. sockets[port]];
        }
    }

    private static (int Port, string Socket)? Parse(string line)
    {
        var fields = line.Split(' ', 11, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 10 || fields[3] != Listening || fields[1].Split(':') is not [var address, var port] || !DriverAddresses.Contains(address)) return null;
        return (int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture), $"socket:[{fields[9]}]");
    }
}
