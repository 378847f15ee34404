using System.IO.Compression;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Over the runtime's streams, which the state machines keep clear of.</summary>
internal sealed class Inflater : IInflater
{
    public byte[] Inflate(ReadOnlySpan<byte> message, int most, out bool isWhole)
    {
        isWhole = false;
        if (message.Length < 2) return [];
        using var source = new MemoryStream(message.ToArray());
        using Stream inflater = message[0] == 0x1f && message[1] == 0x8b ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
        var inflated = new byte[most];
        var length = 0;
        try
        {
            while (length < most)
            {
                var read = inflater.Read(inflated, length, most - length);
                if (read == 0)
                {
                    isWhole = true;
                    break;
                }

                length += read;
            }
        }
        catch (InvalidDataException)
        {
            // What came before the fault is returned; the reader of the message judges it.
        }

        return inflated[..length];
    }
}
