using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace SparkGateway.Campaign;

/// <summary>gRPC messages of a given size that begin as Spark's do: session id, user, then bytes that do not repeat.</summary>
internal static class Messages
{
    private const int PrefixBytes = 5;

    /// <summary>One session for each number.</summary>
    public static string SessionId(int number) => $"00112233-4455-6677-8899-{number:x12}";

    /// <param name="bytes">Prefix included; 73 and more.</param>
    public static byte[] Make(int bytes, int session = 0)
    {
        var head = new List<byte>();
        Field(head, 1, Encoding.ASCII.GetBytes(SessionId(session)));
        var user = new List<byte>();
        Field(user, 1, "bench"u8);
        Field(head, 2, [.. user]);
        var rest = bytes - PrefixBytes - head.Count;
        var filler = rest - 1 - VarintBytes(rest);
        while (1 + VarintBytes(filler) + filler > rest) filler--;
        Field(head, 3, RandomNumberGenerator.GetBytes(filler));
        var message = new byte[PrefixBytes + head.Count];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), head.Count);
        head.CopyTo(message, PrefixBytes);
        return message;
    }

    private static void Field(List<byte> to, int number, ReadOnlySpan<byte> value)
    {
        to.Add((byte)((number << 3) | 2));
        for (var length = (uint)value.Length; ; length >>= 7)
        {
            to.Add((byte)(length > 127 ? (length & 127) | 128 : length));
            if (length <= 127) break;
        }

        to.AddRange(value);
    }

    private static int VarintBytes(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;
}
