using System.Net;

namespace SparkGateway.Testing.Http2;

/// <summary>How a test's peer behaves by itself; all else it does as it is told.</summary>
public sealed record H2Options
{
    /// <summary>As Netty under Spark 4.2 announces itself.</summary>
    public static readonly H2Options Driver = new()
    {
        Settings = [new(SettingId.MaxConcurrentStreams, int.MaxValue), new(SettingId.InitialWindowSize, 1_048_576), new(SettingId.MaxHeaderListSize, 8_192)],
        ConnectionWindowIncrement = 983_041,
    };

    /// <summary>As grpc-core under PySpark announces itself.</summary>
    public static readonly H2Options Client = new()
    {
        Settings =
        [
            new(SettingId.EnablePush, 0), new(SettingId.MaxConcurrentStreams, 0), new(SettingId.InitialWindowSize, 4_194_304),
            new(SettingId.MaxFrameSize, 4_194_304), new(SettingId.MaxHeaderListSize, 16_384),
        ],
        ConnectionWindowIncrement = 4_128_769,
    };

    public IReadOnlyList<Setting> Settings { get; init; } = [];

    /// <summary>WINDOW_UPDATE for the connection right after the SETTINGS; 0 sends none.</summary>
    public uint ConnectionWindowIncrement { get; init; }

    /// <summary>Gives back each DATA frame's bytes at once, to the stream and the connection.</summary>
    public bool CreditsData { get; init; } = true;

    public bool AcknowledgesSettings { get; init; } = true;

    public bool AnswersPings { get; init; } = true;

    /// <summary>Bodies are kept; else only counted and hashed, for messages too large for many copies.</summary>
    public bool KeepsBodies { get; init; } = true;

    /// <summary>Said before the preface, as a proxy does.</summary>
    public ReadOnlyMemory<byte> Before { get; init; }

    /// <summary>The client's own address; null leaves it to the system. All of 127.0.0.0/8 is this machine.</summary>
    public IPAddress? From { get; init; }

    /// <summary>Size of the kernel's receive buffer; null leaves it to the system. Small, a paused reader is felt at once.</summary>
    public int? ReceiveBufferBytes { get; init; }
}
