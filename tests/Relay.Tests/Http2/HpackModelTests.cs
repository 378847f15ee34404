using CsCheck;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

/// <summary>Many blocks over one table, against a model that keeps the table as a list of texts.</summary>
public sealed class HpackModelTests
{
    private static readonly Gen<string> Text = Gen.Frequency(
        (6, Gen.Char['a', 'z'].Array[0, 12].Select(letters => new string(letters))),
        (2, Gen.Char['\0', '\xff'].Array[0, 40].Select(letters => new string(letters))),
        (1, Gen.Char['0', '9'].Array[50, 700].Select(letters => new string(letters))));

    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 5], Gen.Int[0, 200], Text, Text, Gen.Bool, (kind, pick, name, value, huffman) => new Step(kind, pick, name, value, huffman));

    private static readonly Gen<(int Table, (int[] Updates, Step[] Steps)[] Blocks)> Runs = Gen.Select(
        Gen.Frequency((1, Gen.Const(0)), (4, Gen.Int[1, 300]), (4, Gen.Int[300, 5000])),
        Gen.Select(
            Gen.Frequency((5, Gen.Const(Array.Empty<int>())), (2, Gen.Int[0, 5000].Array[1, 2])),
            Steps.Array[0, 12]).Array[1, 30]);

    [Fact]
    public void Decode_RandomSeries_AgreesWithTheModel() => Runs.Sample(
        run =>
        {
            var decoder = HpackTesting.Decoder(run.Table);
            var model = new Model(run.Table);
            foreach (var (updates, steps) in run.Blocks)
            {
                var block = new HpackBlock();
                var expected = new List<(string, string)>();
                foreach (var update in updates) model.Resize(block, update % (run.Table + 1));
                foreach (var step in steps) expected.Add(model.Write(block, step));

                Assert.Equal(expected, decoder.Fields(block));
                Assert.Equal(model.Entries, decoder.Table.Entries());
                Assert.Equal(model.Size, decoder.Table.Size);
                Assert.InRange(decoder.Table.AllocatedBytes, 0, (2 * run.Table) + 1024);
            }
        },
        seed: "0000KOIPe9b3",
        iter: 2000);

    private sealed record Step(int Kind, int Pick, string Name, string Value, bool Huffman);

    private sealed class Model(int max)
    {
        private int limit = Math.Min(max, 4096);

        /// <summary>Newest first.</summary>
        public List<(string Name, string Value)> Entries { get; } = [];

        public int Size => Entries.Sum(entry => entry.Name.Length + entry.Value.Length + 32);

        public void Resize(HpackBlock block, int size)
        {
            block.SizeUpdate(size);
            limit = size;
            Evict();
        }

        public (string Name, string Value) Write(HpackBlock block, Step step)
        {
            var index = 1 + (step.Pick % (61 + Entries.Count));
            var (name, value) = index <= 61 ? Static(index) : Entries[index - 62];
            switch (step.Kind)
            {
                case 0:
                    block.Indexed(index);
                    return (name, value);
                case 1:
                    block.Plain(step.Name, step.Value, step.Huffman);
                    return (step.Name, step.Value);
                case 2:
                    block.Plain(index, step.Value, step.Huffman);
                    return (name, step.Value);
                case 3:
                    block.Never(step.Name, step.Value, step.Huffman);
                    return (step.Name, step.Value);
                case 4:
                    block.Indexing(step.Name, step.Value, step.Huffman);
                    return Add(step.Name, step.Value);
                default:
                    block.Indexing(index, step.Value, step.Huffman);
                    return Add(name, step.Value);
            }
        }

        private (string Name, string Value) Add(string name, string value)
        {
            Entries.Insert(0, (name, value));
            Evict();
            return (name, value);
        }

        private void Evict()
        {
            while (Size > limit) Entries.RemoveAt(Entries.Count - 1);
        }

        private static (string Name, string Value) Static(int index) =>
            (System.Text.Encoding.ASCII.GetString(HpackStaticTable.Name(index)), System.Text.Encoding.ASCII.GetString(HpackStaticTable.Value(index)));
    }
}
